import { useTitle } from "../app/title";
import { useWords } from "../words";
import styles from "./delivery.module.css";
import { PipelinesView } from "./PipelinesView";

/** What is on its way to production. */
export function DeliveryPage() {
  const { say } = useWords();
  useTitle(say.delivery.title);
  return (
    <>
      <h1>{say.delivery.title}</h1>
      <p className={styles.lead}>{say.delivery.lead}</p>
      <PipelinesView />
    </>
  );
}
