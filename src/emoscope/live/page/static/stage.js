// The picture that was scored, with a box, a name and an emotion for each person in it.
import { facts, ink, percent, personName } from "./facts.js";

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
  }

  draw(picture, faces, mirrored) {
    const { canvas, context } = this;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    context.save();
    if (mirrored) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(picture, 0, 0);
    context.restore();
    for (const face of faces) this.face(face, mirrored);
    const said = faces.map((face) => `${personName(face.person)}: ${face.emotion} ${percent(face.confidence)}`);
    canvas.setAttribute("aria-label", `The picture that was scored. ${said.join("; ") || "Nobody in sight."}`);
  }

  face({ box, person, emotion, confidence }, mirrored) {
    const { canvas, context } = this;
    const [, y, width, height] = box;
    const x = mirrored ? canvas.width - box[0] - width : box[0];
    const size = Math.max(13, canvas.width / 40);
    context.lineWidth = size / 5;
    context.strokeStyle = facts.colours[emotion];
    context.strokeRect(x, y, width, height);
    context.font = `600 ${size}px system-ui, sans-serif`;
    this.label(personName(person), x, y - size * 1.6, size, emotion);
    this.label(`${emotion} ${percent(confidence)}`, x, y + height, size, emotion);
  }

  // A line of text on the emotion's colour, moved into the picture where it would lie outside.
  label(text, x, y, size, emotion) {
    const { canvas, context } = this;
    const wide = context.measureText(text).width + size;
    const left = Math.max(0, Math.min(x - context.lineWidth / 2, canvas.width - wide));
    const top = Math.max(0, Math.min(y, canvas.height - size * 1.6));
    context.fillStyle = facts.colours[emotion];
    context.fillRect(left, top, wide, size * 1.6);
    context.fillStyle = ink(emotion);
    context.fillText(text, left + size / 2, top + size * 1.15);
  }
}
