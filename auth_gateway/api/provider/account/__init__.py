"""The pages of the own account: `/account` and what lies under it."""
