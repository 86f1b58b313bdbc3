import { useQuery } from "@tanstack/react-query";
import { questions } from "../api/questions";
import type { Status } from "../api/wire";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Copyable } from "../controls/Copyable";
import { Endpoints } from "../controls/Endpoints";
import { Panel } from "../controls/Panel";
import { amount } from "../format/units";
import { environment } from "../releases/GettingStarted";
import { useWords } from "../words";
import { collectorConfig, dataSources, SOURCES, scrapeWrite } from "./pointing";
import styles from "./settings.module.css";
import { TokensPanel } from "./TokensPanel";

/** Settings: where to point SDKs, collectors and Grafana, and what this server keeps. */
export function SettingsPage() {
  const { say } = useWords();
  useTitle(say.settings.title);
  const asked = questions.status();
  const question = useQuery(asked);
  return (
    <>
      <h1 className={styles.title}>{say.settings.title}</h1>
      <Answer question={question} queryKey={asked.queryKey} what={say.working}>
        {(status) => (
          <div className={styles.panels}>
            <Panel title={say.settings.sdk} lead={say.settings.sdkLead}>
              <Endpoints />
              <Copyable text={environment(status)} />
            </Panel>
            <Panel title={say.settings.collector} lead={say.settings.collectorLead}>
              <Copyable text={collectorConfig(status)} />
              <p className="soft small">{say.settings.prometheus}</p>
              <Copyable text={scrapeWrite(origin(status))} />
            </Panel>
            <Panel title={say.settings.grafana} lead={say.settings.grafanaLead}>
              <table>
                <tbody>
                  {SOURCES.map(({ name, path }) => (
                    <tr key={name}>
                      <th scope="row">{name}</th>
                      <td>
                        <code>{origin(status) + path}</code>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
              <p className="soft small">{say.settings.provisioning}</p>
              <Copyable text={dataSources(origin(status))} />
            </Panel>
            <Panel title={say.settings.server}>
              <Facts status={status} />
            </Panel>
            <TokensPanel />
          </div>
        )}
      </Answer>
    </>
  );
}

/** The address of the HTTP port as the server knows it; behind a proxy, the one that the browser used. */
function origin(status: Status): string {
  return status.endpoints.http ?? location.origin;
}

function Facts({ status }: { status: Status }) {
  const { locale, say } = useWords();
  const waiting = Object.values(status.journal_bytes ?? {}).reduce((sum, bytes) => sum + bytes, 0);
  const rows: [string, string | undefined][] = [
    [say.version, status.version],
    [say.settings.uptime, amount(status.uptime_seconds, "s", locale)],
    [say.settings.retention, status.retention],
    [say.settings.data, status.data],
    [say.settings.waiting, amount(waiting, "By", locale)],
    [say.settings.storing, status.storing === "ok" ? say.settings.fine : say.settings.failing],
  ];
  return (
    <>
      <dl className={styles.facts}>
        {rows.map(([name, value]) =>
          value === undefined ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      <p className="soft small">{say.settings.change}</p>
      <Copyable text={'# pilothouse.toml\nretention = "90d"'} />
    </>
  );
}
