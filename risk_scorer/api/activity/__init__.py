"""The endpoints of what happens within sessions."""
