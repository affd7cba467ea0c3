"""What the scorer accepts and answers: frozen, versioned values. Imports nothing of ours."""
