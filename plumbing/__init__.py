"""What any HTTP service of ours needs and knows nothing about: bodies, refusals, storage, secrets, clock."""
