"""The use cases of what happens within sessions."""
