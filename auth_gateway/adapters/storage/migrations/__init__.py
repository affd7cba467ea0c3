"""The gateway's schema, step by step; run by `open_storage`."""
