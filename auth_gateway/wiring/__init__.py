"""One module for each part of the OpenID provider: adapters joined with flows, flows with addresses. No rules."""
