"""Who works in the back office: roles, signing in, second factors, lockout."""
