/*
 * anchors_embedded: the certificate bundle of the machine that built the program, packed for
 * anchors_from_packed. Defined in a file that the build generates.
 */
#ifndef TLS_ANCHORS_EMBEDDED_H
#define TLS_ANCHORS_EMBEDDED_H

/* anchors_embedded_size is 0 when the program was built without a bundle. */
extern const unsigned char anchors_embedded[];
extern const unsigned anchors_embedded_size;
/* The bundle's date or version as text for --version, "" when there is none. */
extern const char anchors_embedded_date[];

#endif
