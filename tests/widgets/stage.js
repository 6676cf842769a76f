// The few lines of a host: models whose other halves are Python widgets behind this server.
const name = document.body.dataset.view;
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const models = [];

const connected = new Map();

/** The model of another widget by its id: the same one, however often it is asked for. */
function other(of) {
  if (!connected.has(of)) connected.set(of, connect(of));
  return connected.get(of);
}

/** The model of the widget of this page, or of another one. */
async function connect(of) {
  const at = (path) => `${path}?of=${encodeURIComponent(of)}`;
  let { state, next } = await (await fetch(at("/state"))).json();
  const early = new Map();
  const listeners = new Map();
  let pending = {};
  let queue = Promise.resolve();

  const fire = (event, ...args) => [...(listeners.get(event) ?? [])].forEach((call) => call(...args));

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
      const answer = await fetch(at("/say"), { method: "POST", body: JSON.stringify(message) });
      take(await answer.json());
    });
  }

  async function news() {
    take(await (await fetch(at("/news"))).json());
    setTimeout(news, 60);
  }

  const model = {
    listeners,
    news,
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
    widget_manager: { get_model: other, create_view: drawn },
  };
  models.push(model);
  if (of) news();
  return model;
}

/** The view of another widget, as a notebook makes it. */
async function drawn(model) {
  const view = model.get("_view_name_here");
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `/static/${view}.css` });
  document.head.append(style);
  const el = document.createElement("div");
  return { el, remove: (await import(`/static/${view}.js`)).default.render({ model, el }) };
}

const model = await connect("");
const view = (await import(`/static/${name}.js`)).default;
window.leave = view.render({ model, el: document.getElementById("stage") });
window.listening = () =>
  models.flatMap(({ listeners }) => [...listeners.values()]).reduce((sum, calls) => sum + calls.length, 0);
document.body.dataset.ready = "yes";
model.news();
