"""Play a recording to a running `emoscope live` and print what it sees and hears.

python examples/live_client.py examples/synthetic.mp4 ws://127.0.0.1:8765/live
"""

import io
import json
import struct
import sys
import threading
import time

from PIL import Image
from websockets.sync.client import connect

from emoscope.media import Frame, open_media


def play(path, socket):
    started = time.monotonic()
    with open_media(path) as media:
        for item in media:
            time.sleep(max(0.0, started + item.time - time.monotonic()))
            if isinstance(item, Frame):
                jpeg = io.BytesIO()
                Image.fromarray(item.image).save(jpeg, "JPEG")
                socket.send(struct.pack("<4s4xd", b"PICT", item.time) + jpeg.getvalue())
            else:
                socket.send(struct.pack("<4s4xd", b"SOUN", item.time) + item.samples.astype("<f4").tobytes())
    socket.send('{"type": "stop"}')


with connect(sys.argv[2], compression=None) as socket:
    socket.send('{"type": "start", "camera": true, "microphone": true, "rate": 16000}')
    threading.Thread(target=play, args=(sys.argv[1], socket), daemon=True).start()
    for message in map(json.loads, socket):
        for o in message.get("observations", []):
            print(f"{o['start']:6.2f} s  {o['source']:5}  person {o['person']}: {o['emotion']} {o['confidence']:.0%}")
