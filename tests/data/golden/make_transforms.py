#!/usr/bin/env python3
"""Writes photo.jpg and transforms.npz: what Pillow, OpenCV and numpy make of that photo.

Run with Pillow, opencv-python-headless (version 4) and numpy in the folder of the results; made
with Pillow 13.0.0, OpenCV 4.14.0 and numpy 2.4.6.
"""
import io

import cv2
import numpy as np
from PIL import Image, ImageEnhance

random = np.random.default_rng(11)
y, x = np.mgrid[0:40, 0:56]
scene = np.stack([128 + 100 * np.sin(x / 7) * np.cos(y / 5), 3 * x + y, 250 - 2 * y - x], axis=2)
scene[6:20, 14:16] = [255, 255, 255]
scene[23:34, 28:50] = [200, 30, 40]
scene[27:31, 35:42] = [10, 10, 10]
scene += random.normal(0, 12, scene.shape)
Image.fromarray(scene.clip(0, 255).astype(np.uint8)).save("photo.jpg", quality=92)
photo = Image.open("photo.jpg")
pixels = np.asarray(photo)
results = {}

for name, method in (("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC),
                     ("nearest", Image.Resampling.NEAREST)):
    for height, width in ((20, 28), (27, 15), (50, 75)):
        results[f"pillow_{name}_{height}x{width}"] = np.asarray(photo.resize((width, height), method))
# Pillow 13 goes along columns first here, earlier versions never do.
results["pillow_bilinear_33x70"] = np.asarray(photo.resize((70, 33), Image.Resampling.BILINEAR))
for name, method in (("bilinear", cv2.INTER_LINEAR), ("bicubic", cv2.INTER_CUBIC),
                     ("nearest", cv2.INTER_NEAREST), ("area", cv2.INTER_AREA)):
    # Where 104 x 72 grows, area meets whole numbers that rounding makes smaller.
    for height, width in ((20, 28), (27, 15), (50, 75), (33, 70), (104, 72)):
        results[f"opencv_{name}_{height}x{width}"] = cv2.resize(pixels, (width, height),
                                                                interpolation=method)
    results[f"opencv_{name}_float"] = cv2.resize(pixels.astype(np.float32), (23, 31),
                                                 interpolation=method)

results["pillow_grey"] = np.asarray(photo.convert("L"))[..., None]
results["opencv_grey"] = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]
for name, enhance in (("brightness", ImageEnhance.Brightness), ("contrast", ImageEnhance.Contrast),
                      ("saturation", ImageEnhance.Color)):
    for factor in (0.6, 1.7):
        results[f"{name}_{factor}"] = np.asarray(enhance(photo).enhance(factor))
for turn in (0.2, -0.3, 0.45):
    hue, saturation, value = photo.convert("HSV").split()
    turned = Image.fromarray(np.asarray(hue) + np.array(int(turn * 255)).astype(np.uint8))
    merged = Image.merge("HSV", (turned, saturation, value))
    results[f"hue_{turn}"] = np.asarray(merged.convert("RGB"))

for mode in ("edge", "reflect", "symmetric"):
    results[f"pad_{mode}"] = np.pad(pixels, ((4, 6), (3, 5), (0, 0)), mode=mode)
results["pad_constant"] = np.pad(pixels, ((4, 6), (3, 5), (0, 0)), constant_values=9)

stream = io.BytesIO()
photo.save(stream, "JPEG", quality=70)
results["jpeg_70"] = np.asarray(Image.open(stream))

# The transforms that LPOT builds on OpenCV, with height and width in their places.
results["aspect_ratio"] = cv2.resize(pixels, (44, 32), interpolation=cv2.INTER_AREA)
resized = cv2.resize(pixels, (70, 50))
results["ratio"] = np.pad(resized, ((12, 13), (2, 3), (0, 0)), constant_values=7)
central = (pixels.astype(np.float32) / 255)[2:38, 3:53]
central = cv2.resize(central, (24, 32), interpolation=cv2.INTER_LINEAR)
results["bilinear_imagenet"] = ((central - 0.5) * 2 - np.float32([0.1, 0.2, 0.3])) * np.float32(1.5)
cropped = cv2.resize(pixels, (42, 30))[3:27, 11:31] / 255
std = np.array([0.229, 0.224, 0.225])
results["crop_imagenet"] = ((cropped - [0.5, 0.4, 0.3]) / std).astype(np.float32).transpose(2, 0, 1)

np.savez_compressed("transforms.npz", **results)
