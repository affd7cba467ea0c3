"""Pure scoring: facts and history in, a score with reasons out. No I/O, clock or framework."""
