"""A large invented log in the RBA data set's schema: whole days as numpy columns, any number of rows, nobody's data.

Everything about a person is computed from the seed and the person's number whenever it is needed, so that no population
has to be kept; days are independent of each other, so that processes share them.
"""
