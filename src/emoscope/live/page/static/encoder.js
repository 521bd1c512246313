// A worker: a picture goes in, the same picture and its JPEG come back. On the page's own thread it would wait for idle.
let canvas = null;

onmessage = async ({ data: { id, picture } }) => {
  if (!canvas || canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas = new OffscreenCanvas(picture.width, picture.height);
  }
  canvas.getContext("2d", { alpha: false }).drawImage(picture, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
  const jpeg = await blob.arrayBuffer();
  postMessage({ id, picture, jpeg }, [picture, jpeg]);
};
