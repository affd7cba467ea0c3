"""Pure rules of the login: context, policy, pending login, throttle, TOTP, claims, rotation."""
