"""What needs a second person: requests, and what was decided about them."""
