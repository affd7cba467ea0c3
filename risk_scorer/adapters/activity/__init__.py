"""What happens within sessions, as the outside keeps and tells it: tables, memory, sessions, tasks, models."""
