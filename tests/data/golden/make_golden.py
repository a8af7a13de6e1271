#!/usr/bin/env python3
"""Writes the small images of this folder and what Pillow makes of them (.npy).

Run with Pillow and numpy in the folder of the results; made with Pillow 13.0.0 and numpy 2.
"""
import numpy
from PIL import Image

random = numpy.random.default_rng(7)
y, x = numpy.mgrid[0:24, 0:31]
smooth = numpy.stack([x * 8, y * 10, 255 - x * 4 - y * 5], axis=2)
noisy = smooth + random.integers(-40, 41, smooth.shape)
pixels = noisy.clip(0, 255).astype(numpy.uint8)
rgb = Image.fromarray(pixels)


def save(name, image):
    numpy.save(name, numpy.asarray(image))


rgb.save("rgb.png", optimize=True)
save("rgb_png.npy", rgb)
rgb.save("rgb.jpg", quality=85)
save("rgb_jpg.npy", Image.open("rgb.jpg"))

for name, height, width, method in (
    ("bilinear_13x17", 13, 17, Image.Resampling.BILINEAR),
    ("bilinear_30x20", 30, 20, Image.Resampling.BILINEAR),
    ("bicubic_30x39", 30, 39, Image.Resampling.BICUBIC),
    ("nearest_13x40", 13, 40, Image.Resampling.NEAREST),
    ("short_side_16", 16, round(31 * 16 / 24), Image.Resampling.BILINEAR),
):
    save(name + ".npy", rgb.resize((width, height), method))

small = rgb.crop((0, 0, 9, 7))
grey = small.convert("L")
grey.save("grey.png")
save("grey_png.npy", Image.open("grey.png").convert("RGB"))
grey.save("grey.jpg", quality=90)
save("grey_jpg.npy", Image.open("grey.jpg").convert("RGB"))
palette = small.convert("P", palette=Image.Palette.ADAPTIVE, colors=9)
palette.save("palette.png", bits=4)
save("palette_png.npy", Image.open("palette.png").convert("RGB"))
alpha = small.copy()
alpha.putalpha(grey)
alpha.save("alpha.png")
save("alpha_png.npy", Image.open("alpha.png").convert("RGB"))
small.convert("CMYK").save("cmyk.jpg", quality=90)
save("cmyk_jpg.npy", Image.open("cmyk.jpg").convert("RGB"))
rgb.save("progressive.jpg", quality=60, progressive=True)
save("progressive_jpg.npy", Image.open("progressive.jpg"))

numpy.savez("arrays.npz", x=numpy.arange(12, dtype=numpy.float32).reshape(4, 3), y=numpy.arange(4))
numpy.savez_compressed("deflated.npz", x=numpy.zeros((5, 7), numpy.int32), y=numpy.arange(5))
