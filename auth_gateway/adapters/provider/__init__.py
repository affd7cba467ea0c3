"""Protocol grammar and JOSE by maintained libraries, behind values of ours."""
