"""The session model: how unusual a session's window is, how much its sequence looks like an attack. Data, no code."""
