; Turns on 32-bit paging, with one page of 4 MiB that maps itself, and halts.
;
; A debugger should see CR0.PG become set at `on`, and memory unchanged by it. A KVM that emulates all
; guest code may know no paging outside long mode: the guest dies there, and tests that require
; 32bit-paging are skipped.

	bits 16
	org 0x1000

DIRECTORY equ 0x2000

	lgdt [gdt.pointer]
	mov eax, cr0
	or al, 1		; PE
	mov cr0, eax
	jmp 8:protected

	bits 32
protected:
	mov ax, 16
	mov ds, ax
	mov dword [DIRECTORY], 0x83	; at 0: present, writable, 4 MiB
	mov eax, DIRECTORY
	mov cr3, eax
	mov eax, cr4
	or al, 0x10		; PSE
	mov cr4, eax
	mov eax, cr0
	or eax, 0x80000000	; PG
on:	mov cr0, eax
	hlt

	align 8
gdt:	dq 0
	dq 0x00cf9b000000ffff	; 8: code, flat
	dq 0x00cf93000000ffff	; 16: data, flat
.pointer:
	dw $ - gdt - 1
	dd gdt
