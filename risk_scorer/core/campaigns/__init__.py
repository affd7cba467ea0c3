"""Attacks that no single login shows: accounts that share rare signals at one time, judged by evidence of abuse."""
