"""Rules of the OpenID provider: values of its messages, and what follows from them. No wire format, no storage."""
