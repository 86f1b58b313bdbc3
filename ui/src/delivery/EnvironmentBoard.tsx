import { Link } from "react-router";
import { releasePath } from "../address/release";
import { Button } from "../controls/Button";
import { Panel } from "../controls/Panel";
import { useSome } from "../controls/useSome";
import { useWords } from "../words";
import { Saying } from "../words/saying";
import styles from "./delivery.module.css";
import { boardOf, type Environment, goesOn, nextOf, type Question, type Standing } from "./promoting";

interface Props {
  environments: Environment[];
  choose: (question: Question) => void;
}

/** Services by environments, in the order in which versions move: what is declared and what is heard. */
export function EnvironmentBoard({ environments, choose }: Props) {
  const { say } = useWords();
  const { some, more } = useSome(boardOf(environments));
  return (
    <Panel title={say.promoting.board} lead={say.promoting.boardLead}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <section className={styles.scroll} aria-label={say.promoting.whatWhere} tabIndex={0}>
        <table className={styles.board}>
          <thead>
            <tr>
              <th scope="col">{say.selection.service}</th>
              {environments.map((one) => (
                <th scope="col" key={one.name}>
                  {one.name}
                  <span className={styles.strategy}>{say.promoting.strategies[one.strategy]}</span>
                  {one.problem ? <Saying className={styles.bad} text={one.problem} /> : null}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {some.map(({ service, standings }) => (
              <tr key={service}>
                <th scope="row">{service}</th>
                {standings.map((standing, at) => (
                  <td key={environments[at]?.name} data-label={environments[at]?.name}>
                    {standing === null ? (
                      <span className="soft">–</span>
                    ) : (
                      <Cell of={standing} next={nextOf(environments, at, service)} choose={choose} />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {more}
      </section>
    </Panel>
  );
}

function Cell({ of, next, choose }: { of: Standing; next: string | null; choose: Props["choose"] }) {
  const { say } = useWords();
  const { service, declared, promotion } = of;
  return (
    <>
      <strong>{declared || say.promoting.notDeclared}</strong>{" "}
      <span className={styles.standing} data-state={of.state}>
        {say.promoting.states[of.state] ?? of.state}
      </span>
      {of.running.length > 0 ? (
        <ul className={styles.running} aria-label={say.promoting.running}>
          {of.running.map(({ version, instances }) => (
            <li key={version}>
              <Link to={releasePath({ service, version })}>{version}</Link> {say.instances(instances)}
            </li>
          ))}
        </ul>
      ) : null}
      {of.state === "in sync" ? null : (
        <p className="small soft">
          <Saying text={of.problem || of.words} />
        </p>
      )}
      {promotion && goesOn(promotion) ? (
        <p className="small">
          → {promotion.version}: {say.promoting.progress[promotion.state]}
        </p>
      ) : null}
      {next !== null && declared ? (
        <Button quiet onClick={() => choose({ service, version: declared, to: next })}>
          {say.promoting.promoteTo(declared, next)}
        </Button>
      ) : null}
    </>
  );
}
