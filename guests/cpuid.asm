; Prints what CPUID says of a local APIC, of which there is none, and of other processors than this one. A debugger should
; see 0 in $eax at each OUT but for the number of processors, 1.
	bits 16
	org 0x1000

	mov eax, 1
	cpuid
	and edx, 1 << 9
	and ecx, 1 << 21 | 1 << 24
	mov eax, edx
	mov dx, 0xe00
	out dx, eax
	mov eax, ecx
	mov dx, 0xe00
	out dx, eax
	mov eax, 0x80000001
	cpuid
	and ecx, 1 << 3
	mov eax, ecx
	mov dx, 0xe00
	out dx, eax
	mov ecx, 0x1b
	rdmsr
	and eax, 0x800
	mov dx, 0xe00
	out dx, eax
	mov eax, 1
	cpuid
	mov eax, ebx
	shr eax, 16
	mov dx, 0xe00
	out dx, eax
	mov eax, 4
	xor ecx, ecx
	cpuid
	shr eax, 14
	mov dx, 0xe00
	out dx, eax
	xor eax, eax
	cpuid
	cmp eax, 0xb
	mov ebx, 0
	jb .old
	mov eax, 0xb
	xor ecx, ecx
	cpuid
.old:	mov eax, ebx
	mov dx, 0xe00
	out dx, eax
	mov eax, 0x80000008
	cpuid
	mov eax, ecx
	and eax, 0xf0ff
	mov dx, 0xe00
	out dx, eax
	hlt
