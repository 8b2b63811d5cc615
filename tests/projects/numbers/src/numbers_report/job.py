"""Sums by group, with numpy and pandas."""

import numpy as np
import pandas as pd


def main() -> None:
    frame = pd.DataFrame({"group": ["a", "b", "a", "b"], "value": np.arange(4, dtype="int64")})
    sums = frame.groupby("group")["value"].sum()
    print("sums", dict(zip(sums.index, (int(value) for value in sums), strict=True)))
    print("solved", np.linalg.solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([2.0, 8.0])).tolist())
