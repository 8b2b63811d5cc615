"""What maintainer scripts would have done, without running one: recognised, reproduced, or refused by name."""
