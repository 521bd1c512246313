// What the server says of itself in the page: emotions, colours, the columns of the table.
export const facts = JSON.parse(document.getElementById("facts").textContent);

export const percent = (share) => `${Math.round(share * 100)} %`;

// Where it is not known whose a voice is, it is the scene's.
export const personName = (person) => (person ? `Person ${person}` : "Scene");

const luminance = (hex) => {
  const linear = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};

// Black or white: whichever reads better on the emotion's colour.
export const ink = (emotion) => (luminance(facts.colours[emotion]) > 0.179 ? "#000" : "#fff");
