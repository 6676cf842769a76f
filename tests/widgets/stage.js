// The few lines of a host: a model whose other half is the Python widget behind this server.
const name = document.body.dataset.view;
let { state, next } = await (await fetch("/state")).json();
const early = new Map();
const listeners = new Map();
let pending = {};
let queue = Promise.resolve();

const fire = (event, ...args) => [...(listeners.get(event) ?? [])].forEach((call) => call(...args));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function apply(messages) {
  for (const message of messages) {
    if (message.method === "custom") fire("msg:custom", message.content, []);
    if (message.method !== "update") continue;
    const changed = Object.keys(message.state).filter((key) => !same(state[key], message.state[key]));
    for (const key of changed) state[key] = message.state[key];
    for (const key of changed) fire(`change:${key}`);
  }
}

/** Take what was said in the order in which it was said, however the answers come. */
function take({ first, said }) {
  if (said.length) early.set(first, said);
  for (let batch; (batch = early.get(next)); ) {
    early.delete(next);
    next += batch.length;
    apply(batch);
  }
}

function post(message) {
  queue = queue.then(async () => {
    const answer = await fetch("/say", { method: "POST", body: JSON.stringify(message) });
    take(await answer.json());
  });
}

const model = {
  get: (key) => state[key],
  set(key, value) {
    if (same(state[key], value)) return;
    state[key] = value;
    pending[key] = value;
    fire(`change:${key}`);
  },
  save_changes() {
    if (Object.keys(pending).length) post({ method: "update", state: pending });
    pending = {};
  },
  send: (content) => post({ method: "custom", content }),
  on: (event, call) => listeners.set(event, [...(listeners.get(event) ?? []), call]),
  off: (event, call) => listeners.set(event, (listeners.get(event) ?? []).filter((one) => one !== call)),
};

async function news() {
  take(await (await fetch("/news")).json());
  setTimeout(news, 60);
}

const view = (await import(`/static/${name}.js`)).default;
window.leave = view.render({ model, el: document.getElementById("stage") });
window.listening = () => [...listeners.values()].reduce((sum, calls) => sum + calls.length, 0);
document.body.dataset.ready = "yes";
news();
