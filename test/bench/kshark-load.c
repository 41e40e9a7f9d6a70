/* Loads a trace.dat with libkshark, as KernelShark does before it draws: the headers of all records. Prints how many there are. */
#include <libkshark.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct kshark_context *context = NULL;
	struct kshark_entry **rows = NULL;
	int stream;
	ssize_t count;

	if (argc != 2 || !kshark_instance(&context))
		return 2;
	stream = kshark_open(context, argv[1]);
	if (stream < 0)
		return 1;
	count = kshark_load_entries(context, stream, &rows);
	printf("%zd\n", count);
	return count <= 0;
}
