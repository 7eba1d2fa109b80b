import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { live, useLive } from "../lib/live.ts";
import { goTo, href, useRoute } from "../lib/router.ts";
import { rowsOf, text } from "../lib/row.ts";
import { logOut, may, session } from "../lib/session.ts";
import { useStore } from "../lib/store.ts";
import { theme, themes, useTheme } from "../lib/theme.ts";
import { chooseVhost, chosenVhost } from "../lib/vhost.ts";
import { Dialog } from "./dialog.tsx";

interface Entry {
  readonly page: string;
  readonly title: string;
  /** After g, goes there. */
  readonly key: string;
  readonly only?: "administer" | "monitor" | "make policies";
}

const groups: readonly (readonly [title: string, entries: readonly Entry[]])[] = [
  [
    "Watch",
    [
      { page: "", title: "Overview", key: "o" },
      { page: "topology", title: "Topology", key: "t" },
      { page: "log", title: "Live log", key: "l", only: "administer" },
    ],
  ],
  [
    "Messages",
    [
      { page: "queues", title: "Queues", key: "q" },
      { page: "exchanges", title: "Exchanges", key: "e" },
      { page: "bindings", title: "Bindings", key: "b" },
    ],
  ],
  [
    "Clients",
    [
      { page: "connections", title: "Connections", key: "c" },
      { page: "channels", title: "Channels", key: "h" },
      { page: "consumers", title: "Consumers", key: "s" },
    ],
  ],
  [
    "Administer",
    [
      { page: "vhosts", title: "Virtual hosts", key: "v" },
      { page: "users", title: "Users", key: "u", only: "administer" },
      { page: "permissions", title: "Permissions", key: "p", only: "administer" },
      { page: "policies", title: "Policies", key: "y" },
      { page: "limits", title: "Limits", key: "m" },
      { page: "definitions", title: "Definitions", key: "d", only: "administer" },
      { page: "api", title: "HTTP API", key: "a" },
    ],
  ],
];

function isVisible({ only }: Entry): boolean {
  return only === undefined || may(only);
}

/** What is around every page: where one can go, which vhost, how the stream does, who is logged in. */
export function Shell({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const { parts } = useRoute();
  const [isOpen, setOpen] = useState(false);
  const [showsKeys, setShowsKeys] = useState(false);
  const isLoading = useStore(live.isLoading);
  const here = parts[0] ?? "";
  useEffect(() => setOpen(false), [parts.join("/")]);
  useKeys(() => setShowsKeys(true));
  return (
    <div class={`shell ${isOpen ? "open" : ""}`}>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the page
      </button>
      <aside>
        <a class="brand" href={href()}>
          <i aria-hidden="true" /> tsbroker
        </a>
        <nav aria-label="Pages">
          {groups.map(([title, entries]) => (
            <div key={title}>
              <h2>{title}</h2>
              <ul>
                {entries.filter(isVisible).map(({ page, title: name }) => (
                  <li key={page}>
                    <a href={page === "" ? href() : href(page)} aria-current={page === here ? "page" : undefined}>
                      {name}
                    </a>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </nav>
      </aside>
      <TopBar onMenu={() => setOpen(!isOpen)} isOpen={isOpen} onKeys={() => setShowsKeys(true)} />
      <main id="main" tabIndex={-1} aria-busy={isLoading}>
        <Alarm />
        {children}
      </main>
      {showsKeys && <Keys onClose={() => setShowsKeys(false)} />}
    </div>
  );
}

/** What keeps publishers from publishing, on every page. */
function Alarm(): JSX.Element | null {
  const { error } = useLive("/health/checks/alarms");
  if (error?.status !== 503) return null;
  return (
    <div class="failure" role="alert">
      <b>Alarm: publishers are blocked</b>
      <p>{error.message}</p>
    </div>
  );
}

function TopBar(props: { onMenu: () => void; isOpen: boolean; onKeys: () => void }): JSX.Element {
  const who = useStore(session);
  const status = useStore(live.status);
  const chosenTheme = useStore(theme);
  const vhost = useStore(chosenVhost);
  const vhosts = rowsOf(useLive("/vhosts?columns=name").data).map((row) => text(row, "name"));
  const names = vhost === "" || vhosts.includes(vhost) ? vhosts : [vhost, ...vhosts];
  return (
    <header class="topbar">
      <button
        type="button"
        class="plain menu-button"
        aria-expanded={props.isOpen}
        aria-label="Menu"
        onClick={props.onMenu}
      >
        ☰
      </button>
      <label class="inline">
        <span class="wide-only">Virtual host</span>
        <select aria-label="Virtual host" value={vhost} onChange={(event) => chooseVhost(event.currentTarget.value)}>
          <option value="">All</option>
          {names.map((name) => (
            <option key={name} value={name} selected={name === vhost}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <span class="spring" />
      <span class={`live ${status}`} role="status">
        <i aria-hidden="true" />
        {status === "live" ? "Live" : status === "lost" ? "No answer, trying again" : "Connecting"}
      </span>
      <button
        type="button"
        class="plain wide-only"
        onClick={props.onKeys}
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts ( ? )"
      >
        ?
      </button>
      <select
        class="theme"
        aria-label="Theme"
        value={chosenTheme}
        onChange={(event) => useTheme(themes.find((name) => name === event.currentTarget.value) ?? "auto")}
      >
        {themes.map((name) => (
          <option key={name} value={name} selected={name === chosenTheme}>
            {name === "auto" ? "Auto" : name === "light" ? "Light" : "Dark"}
          </option>
        ))}
      </select>
      <span class="who wide-only" title={who?.tags.join(", ")}>
        {who?.name}
      </span>
      <button type="button" onClick={() => logOut()}>
        Log out
      </button>
    </header>
  );
}

/** `/` filters, `?` shows the keys, `g` and a letter goes to a page. */
function useKeys(onHelp: () => void): void {
  useEffect(() => {
    let wasG = false;
    const onKey = (event: KeyboardEvent): void => {
      const { target, key } = event;
      const isTyping = target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") !== null)
        return;
      const page = wasG
        ? groups.flatMap(([, entries]) => entries).find((entry) => entry.key === key && isVisible(entry))
        : undefined;
      wasG = key === "g";
      if (page !== undefined) goTo(page.page === "" ? href() : href(page.page));
      else if (key === "?") onHelp();
      else if (key === "/") {
        event.preventDefault();
        document.querySelector<HTMLInputElement>(".filter-box")?.focus();
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function Keys({ onClose }: { onClose: () => void }): JSX.Element {
  const entries = groups.flatMap(([, of]) => of).filter(isVisible);
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="facts keys">
        <div>
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>Filter the list</dd>
        </div>
        <div>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>These shortcuts</dd>
        </div>
        {entries.map(({ key, title }) => (
          <div key={key}>
            <dt>
              <kbd>g</kbd> <kbd>{key}</kbd>
            </dt>
            <dd>{title}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
