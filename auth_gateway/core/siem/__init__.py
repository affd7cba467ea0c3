"""Events in the forms that security tools read: OCSF, ECS, CEF, and syslog's own head. Pure: an event in, bytes out."""
