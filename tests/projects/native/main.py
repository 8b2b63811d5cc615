import os

import cv2
import lightgbm
import numpy as np
import psycopg

image = np.zeros((64, 64, 3), dtype=np.uint8)
cv2.putText(image, "x", (8, 48), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 3)
encoded = cv2.imencode(".png", cv2.GaussianBlur(image, (5, 5), 0))[1]
print("opencv", cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).shape)

x = np.arange(200, dtype=float).reshape(-1, 1)
model = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(x, (x[:, 0] > 100).astype(int)), 5)
low, high = model.predict(np.array([[1.0], [199.0]]))
print("lightgbm", low < high)

print("libpq", psycopg.pq.version() // 10000, psycopg.pq.__impl__)
try:
    psycopg.connect("host=127.0.0.1 port=1 connect_timeout=1")
except psycopg.OperationalError:
    print("libpq connects")
print("uid", os.getuid())
