"""Shared Signals: receivers keep their streams, and what they are told of is made and handed over."""
