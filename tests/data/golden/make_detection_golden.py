#!/usr/bin/env python3
"""Makes coco_truths.npy, coco_detections.npy and coco_values.npy beside itself with pycocotools.

Made-up detections on images of 1024 x 1024, all places whole pixels, so that fractions of the
image are exact: crowds, equal scores, more than 100 detections of a class in an image, images
without objects or detections, classes that only one side knows.

  coco_truths      [n, 7]  image, class, top, left, bottom, right, kind (1: crowd)
  coco_detections  [m, 7]  image, class, top, left, bottom, right, score
  coco_values      [5]     AP at 0.5:0.05:0.95 and 101 points; at 0.5 and 101; at 0.75 and 101;
                           at 0.5 and 11; area under the curve at 0.5
"""
import contextlib
import io
import os

import numpy
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SIDE = 1024
IMAGES = 40
rng = numpy.random.default_rng(20)


def random_box():
    size = rng.integers(8, 400, 2)
    corner = [rng.integers(0, SIDE - s) for s in size]
    return [corner[0], corner[1], corner[0] + size[0], corner[1] + size[1]]


def near(box):
    moved = numpy.array(box) + rng.integers(-24, 25, 4)
    if moved[2] <= moved[0] or moved[3] <= moved[1]:
        return box
    return moved.tolist()


truths, detections = [], []
for image in range(IMAGES):
    for _ in range(0 if image % 7 == 0 else rng.integers(1, 9)):
        box = random_box()
        category = int(rng.integers(1, 6))
        crowd = int(rng.random() < 0.15)
        truths.append([image, category, *box, crowd])
        for _ in range(rng.integers(0, 4)):
            seen = category if rng.random() < 0.85 else int(rng.integers(1, 8))
            score = int(rng.integers(1, 64)) / 64
            detections.append([image, seen, *near(box), score])
    for _ in range(140 if image == 5 else rng.integers(0, 6)):
        category = 2 if image == 5 else int(rng.integers(1, 8))
        detections.append([image, category, *random_box(), int(rng.integers(1, 64)) / 64])
truths.append([3, 9, *random_box(), 1])  # a class of crowds only
truths.append([3, 8, *random_box(), 0])  # a class that nothing detects
# An overlap of exactly one half.
truths.append([4, 1, 0, 0, 100, 100, 0])
detections.append([4, 1, 0, 0, 50, 100, 0.99])

def to_coco(box):
    top, left, bottom, right = (float(v) for v in box)
    return [left, top, right - left, bottom - top]


coco = COCO()
coco.dataset = {
    "images": [{"id": i + 1, "height": SIDE, "width": SIDE} for i in range(IMAGES)],
    "categories": [{"id": c, "name": str(c)} for c in range(1, 10)],
    "annotations": [
        {"id": i + 1, "image_id": t[0] + 1, "category_id": t[1], "bbox": to_coco(t[2:6]),
         "area": float((t[4] - t[2]) * (t[5] - t[3])), "iscrowd": t[6]}
        for i, t in enumerate(truths)
    ],
}
with contextlib.redirect_stdout(io.StringIO()):
    coco.createIndex()
    found = coco.loadRes([
        {"image_id": d[0] + 1, "category_id": d[1], "bbox": to_coco(d[2:6]), "score": d[6]}
        for d in detections
    ])


def evaluate(overlaps, recalls):
    run = COCOeval(coco, found, "bbox")
    run.params.iouThrs = numpy.array(overlaps)
    run.params.recThrs = numpy.array(recalls)
    with contextlib.redirect_stdout(io.StringIO()):
        run.evaluate()
        run.accumulate()
    return run


def average(overlaps, recalls):
    precision = evaluate(overlaps, recalls).eval["precision"][:, :, :, 0, 2]
    return precision[precision > -1].mean()


def area(overlap):
    """Area under the monotone curve, of the matches that pycocotools made."""
    run = evaluate([overlap], [0.0])
    areas = []
    for k, _ in enumerate(run.params.catIds):
        images = [e for e in run.evalImgs[k * 4 * IMAGES:k * 4 * IMAGES + IMAGES] if e is not None]
        objects = sum(int((numpy.array(e["gtIgnore"]) == 0).sum()) for e in images)
        if objects == 0:
            continue
        scores = numpy.concatenate([e["dtScores"][:100] for e in images])
        order = numpy.argsort(-scores, kind="mergesort")
        matched = numpy.concatenate([e["dtMatches"][0, :100] for e in images])[order] > 0
        ignored = numpy.concatenate([e["dtIgnore"][0, :100] for e in images])[order] > 0
        right = numpy.cumsum(matched & ~ignored)
        wrong = numpy.cumsum(~matched & ~ignored)
        recall = numpy.concatenate([[0], right / objects, [1]])
        with numpy.errstate(invalid="ignore"):
            precision = numpy.nan_to_num(right / (right + wrong))
        precision = numpy.concatenate([[0], precision, [0]])
        precision = numpy.maximum.accumulate(precision[::-1])[::-1]
        areas.append(float(((recall[1:] - recall[:-1]) * precision[1:]).sum()))
    return numpy.mean(areas)


points = numpy.linspace(0, 1, 101)
values = [
    average(numpy.linspace(0.5, 0.95, 10), points),
    average([0.5], points),
    average([0.75], points),
    average([0.5], numpy.linspace(0, 1, 11)),
    area(0.5),
]
folder = os.path.dirname(os.path.abspath(__file__))
for name, rows in (("coco_truths", truths), ("coco_detections", detections)):
    array = numpy.array(rows, numpy.float32)
    array[:, 2:6] /= SIDE
    numpy.save(f"{folder}/{name}.npy", array)
numpy.save(f"{folder}/coco_values.npy", numpy.array(values, numpy.float64))
print(len(truths), len(detections), values)
