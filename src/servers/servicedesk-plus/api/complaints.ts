/** One thing the API has against a request. */
export interface Complaint {
  readonly code: number | undefined;
  /** For people: the field, the vendor's words or what its code means. */
  readonly text: string;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `response_status` is one object for a record and a list of them for lists and bulk calls. */
const entriesOf = (body: Readonly<Record<string, unknown>>) => {
  const { response_status: status } = body;
  return (Array.isArray(status) ? (status as unknown[]) : [status]).filter(isObject);
};

/** A call over several records may answer HTTP 200 with one of them failed. */
export function hasFailedEntry(body: Readonly<Record<string, unknown>>): boolean {
  return entriesOf(body).some((entry) => entry['status'] === 'failed' || (codeOf(entry) ?? 0) >= 4000);
}

export function complaintsIn(body: Readonly<Record<string, unknown>>): readonly Complaint[] {
  const failing = entriesOf(body).filter((entry) => entry['status'] !== 'success');
  const complaints = failing.flatMap((entry) => {
    const { messages } = entry;
    const told = (Array.isArray(messages) ? (messages as unknown[]) : []).filter(isObject);
    return told.length > 0 ? told.map(complaintOf) : [complaintOf(entry)];
  });
  return complaints.filter(({ text }) => text !== '').slice(0, maxComplaints);
}

const maxComplaints = 20;

/** Some messages name a field and a code and say nothing. */
function complaintOf(message: Readonly<Record<string, unknown>>): Complaint {
  const code = codeOf(message);
  const { message: said, field, fields } = message;
  const names = [field, ...(Array.isArray(fields) ? (fields as unknown[]) : [])].filter(
    (name) => typeof name === 'string' && name !== '',
  );
  const words = typeof said === 'string' && said.trim() !== '' ? said.trim() : undefined;
  const meaning = code === undefined ? '' : (meanings[code] ?? 'refused');
  const told = [words ?? meaning, code === undefined ? '' : `(${code})`]
    .filter((part) => part !== '')
    .join(' ');
  return { code, text: names.length > 0 ? `${names.join(', ')}: ${told}` : told };
}

function codeOf({ status_code: code }: Readonly<Record<string, unknown>>): number | undefined {
  const number = Number(code);
  return code === undefined || !Number.isInteger(number) ? undefined : number;
}

const meanings: Readonly<Record<number, string>> = {
  4000: 'refused',
  4001: 'the value may not be, or there is no such record',
  4002: 'not allowed',
  4004: 'internal error of ServiceDesk Plus',
  4005: 'still referred to by other records',
  4007: 'there is no such address',
  4008: 'must be unique and is taken',
  4012: 'is mandatory here',
  4014: 'is read-only',
  4015: 'too many requests',
  4021: 'is of the wrong type',
  4022: 'the access token was not taken',
  7001: 'the licence does not allow it',
};
