import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../kit/logger.ts';
import type { Connection } from './connection.ts';
import type { Field, FieldInfo } from './field-info.ts';
import type { Records } from './records.ts';

/** What the tools work with. */
export interface Autotask {
  readonly connection: Connection;
  readonly records: Records;
  readonly fieldInfo: FieldInfo;
  readonly log: Logger;
  readonly clock: Clock;
}

/** For labels, which are a help and not the answer: without them the answer is still right. */
export async function fieldsIfKnown({ fieldInfo, log }: Autotask, entity: string): Promise<readonly Field[]> {
  try {
    return await fieldInfo.fields(entity);
  } catch {
    log.warn('labels.missing', `The fields of ${entity} cannot be read, so values have no labels`);
    return [];
  }
}
