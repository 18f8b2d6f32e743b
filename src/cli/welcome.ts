import { createKey } from '../auth/new-key.ts';
import { type Config } from '../config/load-config.ts';
import { clientTexts, keyPlaceholder } from './client-texts.ts';
import { readTenants, tenantFile } from './read-tenants.ts';
import { targetsOf } from './targets.ts';
import { plain } from './table.ts';
import { type Terminal } from './terminal.ts';
