"""Signed announcements that are never lost: signing, outbox, delivery, target guard. Knows neither service."""
