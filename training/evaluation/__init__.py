"""How well a model tells people from attackers, measured on a labelled log. The only rooms that ever see a label."""
