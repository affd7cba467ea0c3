"""What people found out about logins, as evidence for training: read, weighed, bounded, matched to a log."""
