"""How the scorer's database came to its shape, one step a file."""
