"""What a security team works on: one incident for each person or campaign, folded from what is seen. Pure."""
