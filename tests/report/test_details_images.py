"""Images found in files of TensorBoard, made by its own classes, and among artifacts."""

import struct
import zlib

import pytest

from runx.report.details import LARGEST, Image, data_url, images, logged_images
from runx.rundir.paths import RunDir
from runx.rundir.tensorboard import framed


def png(shade=0):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    rows = bytes([0, shade, shade, 0, shade, 255])
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def event(tag, content, step=0):
    pb = pytest.importorskip("tensorboardX.proto.event_pb2")
    summary = pytest.importorskip("tensorboardX.proto.summary_pb2").Summary
    image = summary.Image(height=2, width=2, colorspace=1, encoded_image_string=content)
    values = [summary.Value(tag="loss", simple_value=0.5), summary.Value(tag=tag, image=image)]
    made = pb.Event(wall_time=1.5, step=step, summary=summary(value=values))
    return framed(made.SerializeToString())


def test_a_torn_file_gives_the_images_that_are_whole(tmp_path):
    file = tmp_path / "events.out.tfevents.1"
    whole = event("a", png())
    file.write_bytes(whole + event("b", png())[:-30])
    assert [image.name for image in logged_images(file)] == ["a"]


def test_noise_that_looks_like_an_image_is_passed_over(tmp_path):
    file = tmp_path / "events.out.tfevents.1"
    file.write_bytes(framed(b"\x89PNG" + b"\xff" * 40) + framed(b"\xff\xd8\xff"))
    assert list(logged_images(file)) == []


def test_an_image_that_is_too_large_is_left_out(tmp_path):
    file = tmp_path / "events.out.tfevents.1"
    file.write_bytes(event("a", png() + b"\0" * LARGEST))
    assert list(logged_images(file)) == []


def test_only_pictures_become_data_urls():
    assert data_url(Image("a", 0, b"<svg onload=alert(1)>")) is None
    assert data_url(Image("a", 0, png())).startswith("data:image/png;base64,")


def test_of_each_name_the_latest_image_is_shown(tmp_path):
    (tmp_path / "events.out.tfevents.1").write_bytes(event("a", png(1), 1) + event("a", png(2), 2))
    (tmp_path / "events.out.tfevents.2").write_bytes(event("b", png(3), 300))
    assert images(RunDir(tmp_path)) == [Image("a", 2, png(2)), Image("b", 300, png(3))]


def test_image_files_among_the_artifacts_are_shown(tmp_path):
    (tmp_path / "artifacts" / "deep").mkdir(parents=True)
    (tmp_path / "artifacts" / "deep" / "digits.PNG").write_bytes(png())
    (tmp_path / "artifacts" / "notes.txt").write_text("none")
    assert [image.name for image in images(RunDir(tmp_path))] == ["deep/digits.PNG"]
