"""Golden values of tests/strategy/test_gaussian_process.c: the textbook's formulas with numpy's
inverse and determinant, by no Cholesky factor."""
import numpy as np

points = np.array([[0, 0, 0], [1, 0, 0], [1, 2, 0], [1, 2, 1], [0, 1, 1]])
values = np.array([0.90, 0.85, 0.70, 0.72, 0.60])
noise = np.array([0, 0, 0, 1e-3, 0])
asked = np.array([[0, 0, 0], [0, 2, 0], [1, 1, 1], [2, 2, 1]])


def one_hot(rows):
    return np.concatenate([np.eye(3)[rows[:, i]] for i in range(3)], axis=1)


def matern(a, b, length):
    distance = np.sqrt(((one_hot(a)[:, None] - one_hot(b)[None]) ** 2).sum(2)) / length
    root = np.sqrt(5) * distance
    return (1 + root + root**2 / 3) * np.exp(-root)


mean, scale = values.mean(), values.std()
y = (values - mean) / scale


def covariance(length):
    return matern(points, points, length) + np.diag(1e-6 + noise / scale**2)


def likelihood(length):
    k = covariance(length)
    return -0.5 * y @ np.linalg.inv(k) @ y - 0.5 * np.log(np.linalg.det(k))


lengths = [2 ** (-2 + 0.5 * i) for i in range(17)]
best = max(lengths, key=likelihood)
inverse = np.linalg.inv(covariance(best))
column = matern(asked, points, best)
means = mean + scale * column @ inverse @ y
deviations = scale * np.sqrt(np.maximum(0, 1 - np.einsum("ij,jk,ik->i", column, inverse, column)))
print("length", repr(best))
for m, d in zip(means, deviations):
    print(f"{{{m:.12f}, {d:.12f}}},")
