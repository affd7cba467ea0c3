"""The OpenID provider's addresses: parse, call one flow, render."""
