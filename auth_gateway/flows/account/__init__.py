"""What people do with the own account: look who is in, end it, and change what the account is proven with."""
