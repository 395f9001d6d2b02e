"""What terms are likely to cost the house, before anybody is given them."""
