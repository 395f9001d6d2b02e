"""What the demo world and the platform beside it agree on."""

DEMO_SLUG = "demo-sandbox"
# Not a secret: both ends are a demo on the loopback address, and everybody may read it.
DEMO_SECRET = "whsec_d2luZGZhbGwtc2FuZGJveC1kZW1vLW5vLXNlY3JldCE="  # noqa: S105
