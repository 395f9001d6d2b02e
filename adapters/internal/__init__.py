"""The platform that we are ourselves."""
