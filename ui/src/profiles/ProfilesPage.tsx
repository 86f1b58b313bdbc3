import { useQuery } from "@tanstack/react-query";
import { questions } from "../api/questions";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Choice } from "../controls/Choice";
import { Endpoints } from "../controls/Endpoints";
import { SelectionBar } from "../selection/SelectionBar";
import { valueIn } from "../selection/selector";
import { type Selection, useSelection } from "../selection/useSelection";
import { useWords } from "../words";
import { differencePath, flamePath, readProfilesAddress, typesPath } from "./asking";
import { Course } from "./Course";
import type { ProfileType } from "./model";
import { ProfileView } from "./ProfileView";
import styles from "./profiles.module.css";

/** Profiles: where time and memory go, over time and by function; or the difference to another version or time. */
export function ProfilesPage() {
  const { say } = useWords();
  useTitle(say.signals.profiles);
  const selection = useSelection();
  const asked = questions.profileTypesFull(typesPath(selection.selector, selection.bounds));
  const question = useQuery(asked);
  return (
    <>
      <h1 className="hidden">{say.signals.profiles}</h1>
      <SelectionBar selection={selection} />
      <Answer question={question} queryKey={asked.queryKey} what={say.profiles.asking}>
        {(types) =>
          types.length === 0 ? (
            <div className={styles.none}>
              <p>{say.profiles.none}</p>
              <Endpoints only={["pyroscope"]} />
            </div>
          ) : (
            <Shown types={types} selection={selection} />
          )
        }
      </Answer>
    </>
  );
}

function Shown({ types, selection }: { types: ProfileType[]; selection: Selection }) {
  const { say } = useWords();
  const { change, selector, bounds, search } = selection;
  const address = readProfilesAddress(search);
  const kept = types.find(({ type }) => type === address.type) ?? types[0];
  if (kept === undefined) return null;
  const options = types.map(({ type }) => ({ value: type, text: say.profileTypes[type] ?? type }));
  return (
    <>
      <div className={styles.tools}>
        {options.length > 1 ? (
          <Choice
            label={say.profileType}
            value={kept.type}
            options={options}
            onChange={(type) => change({ type, frame: null })}
          />
        ) : (
          <strong className={styles.only}>{options[0]?.text}</strong>
        )}
        <CompareWith selection={selection} value={address.with} />
      </div>
      <Course selection={selection} kept={kept} />
      {address.with ? (
        <Difference path={differencePath(selector, bounds, kept.type, address.with)} selection={selection} />
      ) : (
        <Single path={flamePath(selector, bounds, kept.type)} selection={selection} />
      )}
    </>
  );
}

function CompareWith({ selection, value }: { selection: Selection; value: string }) {
  const { say } = useWords();
  const { data: services = [] } = useQuery(questions.services());
  const service = valueIn(selection.selector, "service_name");
  const version = valueIn(selection.selector, "service_version");
  const versions = (services.find((one) => one.name === service)?.versions ?? [])
    .map((one) => one.version)
    .filter((one) => one && one !== version);
  return (
    <label className={styles.compare}>
      {say.compareWith}
      <select value={value} onChange={(event) => selection.change({ with: event.target.value, frame: null })}>
        <option value="">{say.profiles.nothing}</option>
        <option value="before">{say.profiles.before}</option>
        {versions.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}

function Single({ path, selection }: { path: string; selection: Selection }) {
  const { say } = useWords();
  const asked = questions.flame(path);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.profiles.asking}>
      {(flame) => <ProfileView root={flame.root} unit={flame.unit} selection={selection} single />}
    </Answer>
  );
}

function Difference({ path, selection }: { path: string; selection: Selection }) {
  const { say } = useWords();
  const asked = questions.profileDiff(path);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.profiles.asking}>
      {(diff) => <ProfileView root={diff.root} unit={diff.unit} selection={selection} single={false} />}
    </Answer>
  );
}
