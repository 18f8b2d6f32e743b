import type { Kind } from '../kit/environment.ts';
import { webUrl } from '../kit/variable-kinds.ts';

const anyUrl = webUrl();
const soapAdvice =
  'this is the URL of the SOAP API, which is not used here; leave it out, and the REST API of the user is looked up, ' +
  'or write https://webservicesN.autotask.net/ATServicesRest/';

/** The REST API without its version, ending with `/`. A host alone will do. */
export const restUrl = (): Kind<URL> => ({
  shape: 'the URL of the REST API, such as https://webservices6.autotask.net/ATServicesRest/',
  isSecret: false,
  read(written) {
    const url = anyUrl.read(written);
    if (/\.asmx$|\/atservices\//i.test(url.pathname)) throw new Error(soapAdvice);
    if (url.search !== '') throw new Error('write the URL without ?');
    const path = url.pathname.replace(/\/+$/, '').replace(/\/v1\.0$/i, '');
    url.pathname = path === '' ? '/ATServicesRest/' : `${path}/`;
    return url;
  },
});

/** `ww6` stands for webservices6.autotask.net. There is no closed list of zones: new ones come. */
export const zoneUrl = (): Kind<URL> => ({
  shape: 'ww and a number, such as ww6',
  isSecret: false,
  read(written) {
    const number = /^(?:ww|webservices)?(\d{1,3})$/i.exec(written)?.[1];
    if (number === undefined) throw new Error('write ww and the number of the zone, such as ww6');
    return new URL(`https://webservices${Number(number)}.autotask.net/ATServicesRest/`);
  },
});
