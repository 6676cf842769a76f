"""How long runs will take, and what they will write and cost, from what earlier ones did."""
