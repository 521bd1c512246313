// A card for each person in sight: the emotion with its confidence, bars for all, what voice and both together say.
import { facts, percent, personName } from "./facts.js";

const GONE_S = 5; // a person who comes back within it keeps the number

export class People {
  // neutral(person): called when somebody says that a person's face is neutral now.
  constructor(element, neutral) {
    this.element = element;
    this.neutral = neutral;
    this.cards = new Map();
  }

  add(observation) {
    if (observation.person === null) return;
    const card = this.cards.get(observation.person) ?? this.card(observation.person);
    if (observation.source === "face") card.face(observation);
    else card.say(observation);
  }

  // For how many seconds a person's face has been seen: that is what they are read against.
  known(person, seconds) {
    this.cards.get(person)?.learned(seconds);
  }

  // Remove the cards of those who have been out of sight for long.
  tidy(now) {
    for (const [person, card] of this.cards) {
      if (now - card.seen > GONE_S) {
        card.element.remove();
        this.cards.delete(person);
      }
    }
  }

  clear() {
    this.tidy(Infinity);
  }

  card(person) {
    const card = new Card(person, () => this.neutral(person));
    this.cards.set(person, card);
    this.element.append(card.element);
    return card;
  }
}

class Card {
  constructor(person, neutral) {
    this.seen = -Infinity;
    this.element = make("div", "card person");
    this.element.dataset.person = person;
    this.said = make("p", "said");
    const bars = make("div", "bars");
    this.bars = facts.emotions.map((emotion) => {
      const track = make("span", "track");
      const bar = dot(emotion);
      const number = make("span", "number");
      track.append(bar);
      bars.append(make("span", "", emotion), track, number);
      return { bar, number };
    });
    this.notes = { voice: make("p", "soft", "voice: –"), fused: make("p", "soft", "both: –") };
    this.baseline = make("p", "soft small", "own baseline: not known yet");
    this.neutral = make("button", "small", "This is my neutral face");
    this.neutral.type = "button";
    this.neutral.disabled = true;
    this.neutral.addEventListener("click", () => {
      neutral();
      this.told = true;
    });
    const notes = [...Object.values(this.notes), this.baseline, this.neutral];
    this.element.append(make("h3", "", personName(person)), this.said, bars, ...notes);
  }

  learned(seconds) {
    const told = this.told ? ", and a face that was said to be neutral" : "";
    this.baseline.textContent = seconds ? `own baseline: from ${Math.round(seconds)} s of this face${told}` : "own baseline: not known yet";
    this.neutral.disabled = !seconds;
  }

  face({ start, emotion, confidence, scores }) {
    this.seen = start;
    this.element.dataset.emotion = emotion;
    this.said.replaceChildren(dot(emotion), `${emotion} ${percent(confidence)}`);
    this.bars.forEach(({ bar, number }, index) => {
      bar.style.width = `${100 * scores[index]}%`;
      number.textContent = percent(scores[index]);
    });
  }

  say({ source, start, end, emotion, confidence }) {
    this.seen = Math.max(this.seen, end);
    const name = source === "fused" ? "both" : "voice";
    this.notes[source].textContent = `${name}: ${emotion} ${percent(confidence)} (at ${start.toFixed(1)} s)`;
  }
}

const make = (tag, name, text = "") => {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
};

// An element in the emotion's colour.
const dot = (emotion) => {
  const element = make("i", "");
  element.style.setProperty("--emotion", facts.colours[emotion]);
  return element;
};
